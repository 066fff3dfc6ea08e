# METADATA
# title: A body has the type that its endpoint takes
# description: |
#   A body of another type could be read by the upstream in another way than here. One media type with its parameters
#   is taken; a list of types is not, and for JSON no charset but UTF-8 (RFC 8259, section 8.1). A request may leave the type out when it has no body (`request/body_parsed` sees
#   to that).
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.content_type

findings contains {
	"effect": "deny",
	"status": 415,
	"message": "This endpoint takes a body of content-type application/json in UTF-8.",
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

_is_json if {
	_media_type == "application/json"
	every parameter in _charsets { parameter in {"charset=utf-8", `charset="utf-8"`} }
}

# All that somebody could take for a charset, however it is written.
_charsets := [trim(part, " \t") |
	type := lower(input.request.content_type)
	contains(type, "charset")
	some part in split(type, ";")
	contains(part, "charset")
]

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
