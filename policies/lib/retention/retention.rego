# METADATA
# title: From findings to what is kept
# description: |
#   Metadata wins over full, a longer retention class over a shorter one, whatever the order of the rules.
package skilltape.lib.retention

import data.skilltape.lib.findings
import data.skilltape.lib.masking
import data.skilltape.lib.privacy

# METADATA
# description: |
#   What is kept, for named findings. A finding has some of `keep`, `retention_class`, `masking` and `privacy`; one
#   that has none of them, or whose `masking` or `privacy` cannot be read, keeps metadata only. `lists.retention.classes` is in order from the shortest to the longest; a class that
#   is not in it counts as the longest.
decide(entries) := {
	"keep": _keep(entries),
	"retention_class": _class({place | some entry in entries; place := _place(entry.finding)}),
	"reasons": findings.reasons(entries),
}

_keep(entries) := "metadata" if {
	some entry in entries
	not _keeps_full(entry.finding)
} else := "full"

_keeps_full(finding) if {
	_says_full(finding)
	masking.is_sound(finding)
	privacy.is_sound(finding)
}

_says_full(finding) if finding.keep == "full"

_says_full(finding) if {
	is_string(finding.retention_class)
	object.get(finding, "keep", null) == null
}

_says_full(finding) if {
	is_object(finding.masking)
	object.get(finding, "keep", null) == null
	is_string(object.get(finding, "retention_class", ""))
}

_says_full(finding) if {
	is_object(finding.privacy)
	object.get(finding, "keep", null) == null
	is_string(object.get(finding, "retention_class", ""))
}

_class(places) := data.lists.retention.classes[max(places)] if {
	count(places) > 0
} else := data.lists.retention["default"] if {
	is_string(data.lists.retention["default"])
} else := "standard"

_place(finding) := place if {
	some place, class in data.lists.retention.classes
	class == finding.retention_class
} else := count(data.lists.retention.classes) - 1 if {
	finding.retention_class
}
