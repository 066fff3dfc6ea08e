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
		"allowed_models", "allowed_skills", "allowed_tools", "allowed_mcp_servers", "denied_mcp_tools",
		"budgets", "privacy", "prompts", "recording",
		"required_tags", "retention", "sizes", "working_hours", "allowed_connections", "access_requests",
	]
	not _has_rules(name)
}

# METADATA
# description: Of this set of names those that are one of `list.names` or begin with one of `list.prefixes`.
matched(list, names) := {name | some name in list.names; names[name]} | beginning(names, list.prefixes)

# METADATA
# description: True when an entry is the name of the endpoint, or its beginning followed by `.*`.
covers(entries, endpoint) if endpoint in entries

covers(entries, endpoint) if {
	some entry in entries
	endswith(entry, ".*")
	startswith(endpoint, trim_suffix(entry, "*"))
}

# METADATA
# description: Of this set of names those that are one of this set of patterns, or begin with one that `*` follows.
fitting(patterns, names) := (names & patterns) | beginning(names, prefixes) if {
	prefixes := {trim_suffix(pattern, "*") | some pattern in patterns; endswith(pattern, "*")}
}

# METADATA
# description: |
#   Of this set of names those that begin with one of the prefixes. A body can name thousands, and to compare each
#   with all prefixes takes the product of both: of many names the beginnings of each length that a prefix has are looked up.
beginning(names, prefixes) := {name | some name in names; some prefix in prefixes; startswith(name, prefix)} if {
	count(names) <= _compared_max
} else := {name | some name in names; some length in lengths; wanted[substring(name, 0, length)]} if {
	wanted := {prefix | some prefix in prefixes}
	lengths := {count(prefix) | some prefix in wanted}
}

_compared_max := 16

_has_open_things if is_array(data.lists.ownership.open)

_has_rules(name) if is_array(data.lists[name].rules)

_default_class if data.lists.retention["default"] in data.lists.retention.classes

_texts_at(path) if _is_texts(object.get(data.lists, path, null))

_is_texts(value) if {
	is_array(value)
	every text in value { is_string(text) }
}
