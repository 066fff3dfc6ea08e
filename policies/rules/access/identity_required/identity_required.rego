# METADATA
# title: An identity of one of the connection's issuers is required
# description: |
#   The message tells the caller what was wrong with the credential and what to do. A request with an identity and a
#   failure beside it is refused: the two can be the tokens of two people.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.identity_required

import data.skilltape.lib.shown

findings contains {"effect": "deny", "status": 401, "message": _message} if not _identified

_identified if {
	input.authentication.failure == null
	input.identity.issuer in input.connection.issuers
	input.identity.issuer != ""
	input.identity.subject != ""
}

_message := concat(" ", [
	"The request carries two credentials, `authorization` and `x-api-key`.",
	"Send the token of your identity provider in one of them and leave the other out.",
]) if {
	input.authentication.failure == "two_credentials"
} else := concat(" ", ["The request carries no token.", _remedy]) if {
	input.authentication.failure == "missing"
} else := $"The token was refused{_detail}. {_remedy}" if {
	input.authentication.failure == "failed"
} else := $"The token is of another issuer. {_remedy}" if {
	_of_another_issuer
} else := concat(" ", ["The caller could not be identified.", _remedy])

_of_another_issuer if input.authentication.failure == "wrong_issuer"

_of_another_issuer if {
	input.authentication.failure == null
	not input.identity.issuer in input.connection.issuers
}

_detail := $" ({sentence})" if {
	sentence := shown.sentence(input.authentication.detail)
	sentence != ""
} else := ""

_remedy := concat("", [
	"Get a token from ",
	concat(" or ", input.connection.issuers),
	" and send it as `authorization: Bearer <token>`.",
])
