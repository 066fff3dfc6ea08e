# METADATA
# title: Only the methods of an endpoint pass
# description: |
#   `lists.endpoints.enabled` names the methods of each kind. A kind that is not enabled is the matter of
#   `endpoint_enabled`.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.method_of_endpoint

findings contains {"effect": "deny", "message": message} if {
	methods := data.lists.endpoints.enabled[input.request.endpoint_kind]
	not input.request.method in methods
	message := $"Endpoints of the kind {input.request.endpoint_kind} take {concat(" or ", methods)} at this gateway."
}
