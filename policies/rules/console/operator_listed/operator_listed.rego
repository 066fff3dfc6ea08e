# METADATA
# title: Only listed operators may look
# description: |
#   But for `ask`, what a person asks for themselves by their token, which `access_offered` decides.
#   An entry of `lists.console.operators` names `actions`, and who may take them by `users`, `uids` or `groups`, or by `token_groups`
#   of `issuer` (without it: of the provider at which people log in to the console); where it
#   names `connections` or `types`, everything that is looked at must be among them. One entry must fit as a whole.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.operator_listed

import data.skilltape.lib.console

findings contains {"message": "You are not among the operators who may do this."} if {
	input.action != "ask"
	count(console.entries) == 0
}
