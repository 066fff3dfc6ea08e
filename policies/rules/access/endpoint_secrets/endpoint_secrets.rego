# METADATA
# title: Endpoints that carry credentials are closed
# description: |
#   Requests or answers of these endpoints hold keys, tokens or links that work like them: OAuth, the admin API, vaults,
#   tunnels, work items. `lists.endpoints.allowed_with_secrets` opens them one by one or as a family.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.endpoint_secrets

import data.skilltape.lib.lists
import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	input.request.endpoint_treatment == "secrets"
	not lists.covers(data.lists.endpoints.allowed_with_secrets, input.request.endpoint)
	message := concat(" ", [
		$"The endpoint {shown.name(input.request.endpoint)} carries credentials and is closed at this gateway.",
		"Use it without the gateway, or ask its operators.",
	])
}
