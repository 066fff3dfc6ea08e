# METADATA
# title: From findings to what is shown of a person
# description: |
#   The stricter one wins, whatever the order of the rules: a pseudonym over a name, leaving out over keeping. A finding
#   that cannot be read shows nothing.
package skilltape.lib.privacy

# METADATA
# description: The stricter value of each part.
strict := {"person": "pseudonym", "address": "dropped", "groups": "dropped"}

_usual := {"person": "named", "address": "kept", "groups": "kept"}

# METADATA
# description: The `privacy` of a `record` decision for named findings.
decide(entries) := strict if {
	some entry in entries
	not _is_readable(entry.finding)
} else := {name: value |
	some name, usual in _usual
	value := _value(entries, name, usual)
}

# METADATA
# description: True when the finding says nothing of privacy, or says it in a way that can be read.
is_sound(finding) if object.get(finding, "privacy", null) == null

is_sound(finding) if {
	is_object(finding.privacy)
	every name, value in finding.privacy { value in {strict[name], _usual[name]} }
}

_is_readable(finding) if {
	is_sound(finding)
	some name in ["keep", "retention_class", "masking", "privacy"]
	object.get(finding, name, null) != null
}

_value(entries, name, _) := strict[name] if {
	some entry in entries
	entry.finding.privacy[name] == strict[name]
} else := usual if {
	usual := _usual[name]
}
