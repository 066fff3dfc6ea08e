# METADATA
# title: Faults of the lists
# description: |
#   A list that is misspelt or of the wrong type would match nobody. The entrypoints refuse everything until it is
#   mended.
package skilltape.lib.lists

faults contains concat(".", path) if {
	some path in [
		["deny", "subjects"], ["deny", "emails"], ["deny", "groups"], ["deny", "models", "names"],
		["deny", "models", "prefixes"], ["deny", "tools", "names"], ["deny", "tools", "type_prefixes"],
		["deny", "skills", "ids"], ["deny", "skills", "types"], ["deny", "uploads", "extensions"],
		["endpoints", "allowed"], ["endpoints", "allowed_with_secrets"], ["models", "names"], ["models", "prefixes"],
		["retention", "classes"], ["observe", "connections"], ["observe", "rules"],
		["ownership", "closed"], ["break_glass", "lifts"],
	]
	not _texts_at(path)
}

faults contains "retention.default" if not _default_class

faults contains "ownership.open" if not _has_open_things

# What an entry may say is checked when the policy is compiled, by the schema of its list.
faults contains $"{name}.rules" if {
	some name in [
		"allowed_models", "allowed_skills", "allowed_tools", "allowed_mcp_servers", "budgets", "privacy", "recording",
		"required_tags", "retention", "sizes", "working_hours", "allowed_connections", "access_requests",
	]
	not _has_rules(name)
}

# METADATA
# description: True when the name is one of `list.names` or begins with one of `list.prefixes`.
matches(list, name) if name in list.names

matches(list, name) if {
	some prefix in list.prefixes
	startswith(name, prefix)
}

# METADATA
# description: True when an entry is the name of the endpoint, or its beginning followed by `.*`.
covers(entries, endpoint) if endpoint in entries

covers(entries, endpoint) if {
	some entry in entries
	endswith(entry, ".*")
	startswith(endpoint, trim_suffix(entry, "*"))
}

# METADATA
# description: True when one of the patterns is the name, or its beginning followed by `*`.
fits(patterns, name) if name in patterns

fits(patterns, name) if {
	some pattern in patterns
	endswith(pattern, "*")
	startswith(name, trim_suffix(pattern, "*"))
}

_has_open_things if is_array(data.lists.ownership.open)

_has_rules(name) if is_array(data.lists[name].rules)

_default_class if data.lists.retention["default"] in data.lists.retention.classes

_texts_at(path) if _is_texts(object.get(data.lists, path, null))

_is_texts(value) if {
	is_array(value)
	every text in value { is_string(text) }
}
