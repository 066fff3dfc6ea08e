# METADATA
# title: Only enabled endpoints pass
# description: |
#   `lists.endpoints.allowed` names endpoints, or families of them as `files.*`. What is not understood is the matter of
#   `endpoint_known`, what carries credentials that of `endpoint_secrets`.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.endpoint_enabled

import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	not input.request.endpoint_treatment in {"secrets", "unknown"}
	not lists.covers(data.lists.endpoints.allowed, input.request.endpoint)
	message := concat(" ", [
		$"The endpoint {shown.name(input.request.endpoint)} is not enabled at this gateway.",
		$"Enabled are: {concat(", ", sort(data.lists.endpoints.allowed))}.",
	])
}
