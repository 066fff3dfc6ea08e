package skilltape.rules.record.keep_by_list_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.record.keep_by_list

test_success_shipped_list_keeps_in_full if count(keep_by_list.findings) == 0 with input as example.record

test_success_entry_keeps_in_full_against_the_default if {
	count(_of({"default": "metadata", "rules": [{"when": {"groups": ["staff"]}, "keep": "full"}]})) == 0
}

test_fail_metadata_by_an_entry_or_by_default if {
	every list in [
		{"default": "full", "rules": [{"keep": "full"}, {"when": {"skills": ["payroll"]}, "keep": "metadata"}]},
		{"default": "metadata", "rules": []},
		{"default": "metadata", "rules": [{"when": {"groups": ["other"]}, "keep": "full"}]},
	] {
		_of(list) == {{
			"keep": "metadata",
			"message": "A list says that of exchanges like this only metadata is kept.",
		}}
	}
}

_of(list) := findings if {
	skills := [{"type": "custom", "id": "payroll", "version": ""}]
	document := example.record_with({"claude": {"skills": skills}})
	findings := keep_by_list.findings with input as document with data.lists.recording as list
}
