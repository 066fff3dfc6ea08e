package skilltape.rules.record.retention_by_list_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.record.retention_by_list

test_success_shipped_list if count(retention_by_list.findings) == 0 with input as example.record

test_success_entries_for_others if count(_of([{"when": {"connections": ["sandbox"]}, "class": "short"}])) == 0

test_fail_each_entry_for_the_exchange if {
	_of([{"class": "short"}, {"when": {"groups": ["staff"]}, "class": "long"}]) == {
		{"retention_class": "short", "message": "A list says how long exchanges like this are kept."},
		{"retention_class": "long", "message": "A list says how long exchanges like this are kept."},
	}
}

_of(rules) := findings if {
	findings := retention_by_list.findings with input as example.record with data.lists.retention.rules as rules
}
