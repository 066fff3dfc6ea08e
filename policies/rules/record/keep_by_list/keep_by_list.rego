# METADATA
# title: A list says of which exchanges only metadata is kept
# description: |
#   Each of `lists.recording.rules` says what is kept of its exchanges where they can be read: `full` or `metadata`, and
#   metadata wins. What no entry counts for is kept as `lists.recording.default` says.
# scope: package
# schemas:
#   - input: schema.record.input
#   - data.lists.recording: schema.recording.list
package skilltape.rules.record.keep_by_list

import data.skilltape.lib.when

findings contains {"keep": "metadata", "message": "A list says that of exchanges like this only metadata is kept."} if {
	"metadata" in _wanted
}

_wanted := [entry.keep | some entry in _entries] if {
	count(_entries) > 0
} else := [data.lists.recording["default"]]

_entries := when.met(data.lists.recording.rules)
