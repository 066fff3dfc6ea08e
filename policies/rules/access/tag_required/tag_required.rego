# METADATA
# title: Requests carry the tags that a list asks for
# description: |
#   Each of `lists.required_tags.rules` names a `tag` that its callers must send in the header `x-gateway-tags`, and the
#   `values` that it may have. A tag is what the caller says, and no proof of anything.
# scope: package
# schemas:
#   - input: schema.access.input
#   - data.lists.required_tags: schema.required_tags.list
package skilltape.rules.access.tag_required

import data.skilltape.lib.shown
import data.skilltape.lib.when

findings contains {"effect": "deny", "status": 400, "message": _message(entry)} if {
	some entry in when.met(data.lists.required_tags.rules)
	not _has_tag(entry)
}

_has_tag(entry) if {
	value := input.request.tags[entry.tag]
	_is_taken(entry, value)
}

_is_taken(entry, _) if not entry.values

_is_taken(entry, value) if value in entry.values

_message(entry) := concat(" ", [
	$"The header x-gateway-tags must name the tag {shown.name(entry.tag)}, such as x-gateway-tags: {entry.tag}=value.",
	_values(entry),
])

_values(entry) := $"It may be: {concat(", ", sort(entry.values))}." if {
	entry.values
} else := "Ask the operators of this gateway for its value."
