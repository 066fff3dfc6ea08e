# METADATA
# title: What can be asked for, and for how long
# description: |
#   An entry of `lists.access_requests.rules` names `connections`, `skills` or `models` that members of its `groups` can ask
#   for, or everybody without them: of the provider that `issuer` names, and without it of that at which people log in to the
#   console. Of several that fit the shortest time and the largest quorum count. Break-glass has its
#   longest time in `lists.break_glass`.
# scope: package
# schemas:
#   - input: schema.console.input
package skilltape.rules.console.access_offered

import data.skilltape.lib.console

findings contains {"message": "The policy does not let you ask for access to this."} if {
	input.action == "ask"
	not _is_offered
}

findings contains {"message": message} if {
	input.grant.minutes > console.terms.grant_minutes
	message := $"The policy gives this for at most {console.terms.grant_minutes} minutes."
}

_is_offered if {
	input.person.subject != ""
	count(console.offers) > 0
}
