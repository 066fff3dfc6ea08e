# METADATA
# title: Only known models pass
# description: |
#   `lists.models` holds exact `names` and `prefixes`. A model on the deny list is the matter of `model_denied`.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.model_known

import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	not lists.matches(data.lists.models, input.claude.model)
	not lists.matches(data.lists.deny.models, input.claude.model)
	is_object(input.claude)
	message := $"The model {shown.name(input.claude.model)} is not one of the models that this gateway lets through."
}
