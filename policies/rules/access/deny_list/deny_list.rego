# METADATA
# title: People and groups on the deny list are refused
# description: |
#   `lists.deny` holds `subjects` and `groups` as the token writes them, and `emails` in any case. The message does not
#   say which entry matched.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.deny_list

findings contains {
	"effect": "deny",
	"message": "Your account may not use this gateway. Ask its operators if you think that this is a mistake.",
} if {
	_denied
}

_denied if input.identity.subject in data.lists.deny.subjects

_denied if {
	some email in data.lists.deny.emails
	lower(email) == lower(input.identity.email)
}

_denied if {
	some group in input.identity.groups
	group in data.lists.deny.groups
}
