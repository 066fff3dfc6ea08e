package skilltape.rules.record.privacy_by_list_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.record.privacy_by_list

test_success_shipped_list if count(privacy_by_list.findings) == 0 with input as example.record

test_success_entries_for_others if count(_of([{"when": {"groups": ["other"]}, "person": "pseudonym"}])) == 0

test_fail_each_entry_for_the_exchange if {
	message := "A list says what is shown of who called."
	_of([{"person": "pseudonym"}, {"when": {"groups": ["staff"]}, "address": "dropped"}]) == {
		{"privacy": {"person": "pseudonym"}, "message": message},
		{"privacy": {"address": "dropped"}, "message": message},
	}
}

_of(rules) := findings if {
	findings := privacy_by_list.findings with input as example.record with data.lists.privacy.rules as rules
}
