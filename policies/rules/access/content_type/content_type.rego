# METADATA
# title: A body has the type that its endpoint takes
# description: |
#   A body of another type could be read by the upstream in another way than here. One media type with its parameters
#   is taken; a list of types is not. A request may leave the type out when it has no body (`request/body_parsed` sees
#   to that).
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.content_type

findings contains {
	"effect": "deny",
	"status": 415,
	"message": "This endpoint takes a body of content-type application/json.",
} if {
	input.request.body_form in {"messages", "completion", "batch", "json"}
	not _is_json
	not _is_untyped
}

findings contains {
	"effect": "deny",
	"status": 415,
	"message": "This endpoint takes a body of content-type multipart/form-data.",
} if {
	input.request.body_form == "upload"
	not _is_multipart
}

_is_json if _media_type == "application/json"

_is_multipart if {
	_media_type == "multipart/form-data"
	contains(input.request.content_type, ";")
}

# Undefined for a list. Compiled to WebAssembly, a regular expression would cost more than all other rules together.
_media_type := trim(split(lower(input.request.content_type), ";")[0], " \t") if {
	not contains(input.request.content_type, ",")
}

# Only a body of unknown length can still come behind it.
_is_untyped if {
	input.request.body_form == "json"
	input.request.content_type == ""
	input.request.content_length in {0, null}
}
