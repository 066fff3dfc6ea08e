# METADATA
# title: A request to Claude is JSON
# description: |
#   A body of another type could be read by the upstream in another way than here. One media type with its parameters
#   is taken; a list of types is not.
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.content_type_json

findings contains {
	"effect": "deny",
	"status": 415,
	"message": "This endpoint takes a body of content-type application/json.",
} if {
	input.request.method == "POST"
	input.request.endpoint_kind in {"messages", "count_tokens"}
	not _is_json
}

_is_json if regex.match(`^[ \t]*application/json[ \t]*(;[^,]*)?$`, lower(input.request.content_type))
