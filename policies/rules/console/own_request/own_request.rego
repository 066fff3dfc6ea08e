# METADATA
# title: Nobody decides about a request of their own
# description: |
#   Whoever decides about what is held or asked for, or breaks glass, has to be known by their token: in the console they
#   are, and of an account an entry of `lists.console.operators` says so with `person`. Issuer and subject are compared with
#   those of whoever asks.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.own_request

import data.skilltape.lib.console

findings contains {"message": "The list of operators does not say who you are by your token, so you cannot decide."} if {
	input.action in {"decide", "grant", "break_glass"}
	input.operator.kind == "os"
	some entry in console.entries
	not entry.person
}

findings contains {"message": "You cannot decide about a request of your own."} if {
	input.action in {"decide", "grant", "break_glass"}
	some person in console.persons
	person.issuer == input.person.issuer
	person.subject == input.person.subject
}
