# METADATA
# title: Only the models that a list allows the caller
# description: |
#   Each of `lists.allowed_models.rules` names the `models` that its callers may use. Every model counts that may answer: of
#   the request, its fallbacks and tools, of each request in a batch, of an agent that is defined.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.allowed_models: schema.allowed_models.list
package skilltape.rules.request.model_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	some model in shown.few(allowed.refused(data.lists.allowed_models.rules, "models", [], facts.models))
	message := $"The model {shown.name(model)} is not one of those that you may use."
}
