# METADATA
# title: Models on the deny list are refused
# description: |
#   `lists.deny.models` holds exact `names` and `prefixes`.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.model_denied

import data.skilltape.lib.facts
import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	some model in shown.few(lists.matched(data.lists.deny.models, facts.models))
	message := $"The model {shown.name(model)} may not be used through this gateway."
}
