# METADATA
# title: Models on the deny list are refused
# description: |
#   `lists.deny.models` holds exact `names` and `prefixes`.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.model_denied

import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	lists.matches(data.lists.deny.models, input.claude.model)
	message := $"The model {shown.name(input.claude.model)} may not be used through this gateway."
}
