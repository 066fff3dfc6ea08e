# METADATA
# title: Only the models that a list allows the caller
# description: |
#   Each of `lists.allowed_models.rules` names the `models` that its callers may use. Every model counts that may answer: of
#   the request, its fallbacks and tools, of each request in a batch, of an agent that is defined. A grant of a model lifts
#   this rule for that model.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.allowed_models: schema.allowed_models.list
package skilltape.rules.request.model_allowed

import data.skilltape.lib.allowed
import data.skilltape.lib.facts
import data.skilltape.lib.grants
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message, "grant": {"kind": "model", "name": model}} if {
	some model in shown.few(_refused)
	message := $"The model {shown.name(model)} is not one of those that you may use.{grants.how_to_ask("model", model)}"
}

# Not one that a grant lifts: those that are not named may be others than were granted.
findings contains {"effect": "deny", "message": "Many models are named that you may not use."} if shown.are_many(_refused)

_refused := allowed.refused(data.lists.allowed_models.rules, "models", [], facts.models)
