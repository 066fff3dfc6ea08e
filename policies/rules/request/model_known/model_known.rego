# METADATA
# title: Only known models pass
# description: |
#   `lists.models` holds exact `names` and `prefixes`. Every model that the body names must be known: that of
#   a request, its fallbacks and its tools, of each request in a batch, of an agent that is defined. `default` stands for
#   the fallbacks that Claude chooses by itself. A model on the deny list is the matter of `model_denied`.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.model_known

import data.skilltape.lib.facts
import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	some model in shown.few(_unknown)
	message := $"The model {shown.name(model)} is not one of the models that this gateway lets through."
}

_unknown := (facts.models - lists.matched(data.lists.models, facts.models)) - lists.matched(data.lists.deny.models, facts.models)
