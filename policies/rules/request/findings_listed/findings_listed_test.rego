package skilltape.rules.request.findings_listed_test

import data.skilltape.lib.example_test as example
import data.skilltape.lib.found
import data.skilltape.rules.request.findings_listed

deny := {"effect": "deny", "types": ["SECRET", "PEM"]}

request_with(findings) := example.request_with({"findings": findings})

test_success_with_the_shipped_list if {
	count(findings_listed.findings) == 0 with input as request_with([{"type": "PEM", "place": "file", "count": 9}])
	count(findings_listed.findings) == 0 with input as example.request_with({"findings_complete": false})
	count(found.list_faults) == 0
}

test_success_other_types if {
	count(_of([{"type": "EMAIL", "place": "messages", "count": 3}], [deny])) == 0
	count(_of([], [deny])) == 0
}

test_fail_each_listed_type_is_named_and_no_other if {
	found_types := [
		{"type": "SECRET", "place": "system", "count": 1},
		{"type": "EMAIL", "place": "system", "count": 1},
		{"type": "PEM", "place": "file", "count": 2},
	]
	_of(found_types, [deny]) == {{
		"effect": "deny",
		"message": "The request holds what may not be sent through this gateway: PEM, SECRET.",
	}}
}

test_fail_effect_is_that_of_the_entry if {
	some finding in _of([{"type": "CARD", "place": "other", "count": 1}], [{"effect": "hold", "types": ["CARD"]}])
	finding.effect == "hold"
}

test_success_places_of_the_entry_alone if {
	rules := [object.union(deny, {"places": ["messages", "file"]})]
	count(_of([{"type": "SECRET", "place": "tool_result", "count": 1}], rules)) == 0
	count(_of([{"type": "SECRET", "place": "file", "count": 1}], rules)) == 1
}

test_fail_counts_of_all_places_are_added_up if {
	rules := [{"effect": "deny", "types": ["EMAIL"], "min_count": 5}]
	some_of := [{"type": "EMAIL", "place": "messages", "count": 3}, {"type": "IP", "place": "messages", "count": 9}]
	count(_of(some_of, rules)) == 0
	count(_of(array.concat(some_of, [{"type": "EMAIL", "place": "system", "count": 2}]), rules)) == 1
}

test_success_entries_for_other_people if {
	every when in [{"groups": ["contractors"]}, {"connections": ["sandbox"]}, {"endpoints": ["files.*"]}] {
		count(_of([{"type": "SECRET", "place": "other", "count": 1}], [object.union(deny, {"when": when})])) == 0
	}
}

test_fail_entries_for_whoever_calls if {
	every when in [{"groups": ["x", "staff"]}, {"connections": ["claude"]}, {"endpoints": ["messages.*"]}, {}] {
		count(_of([{"type": "SECRET", "place": "other", "count": 1}], [object.union(deny, {"when": when})])) == 1
	}
}

test_fail_request_that_was_not_searched_whole if {
	document := example.request_with({"findings_complete": false})
	findings_listed.findings == {{
		"effect": "deny",
		"message": "The request is too long to be searched whole for what may not be sent through this gateway.",
	}} with input as document with data.lists.findings.rules as [deny]
}

test_success_not_searched_whole_where_the_entry_allows_it if {
	document := example.request_with({"findings_complete": false})
	rules := [object.union(deny, {"incomplete": "allow"})]
	count(findings_listed.findings) == 0 with input as document with data.lists.findings.rules as rules
}

test_fail_lists_name_all_their_faults if {
	rules := [
		deny,
		{"effect": "refuse", "types": ["SECRETS"], "places": ["prompt"], "min_count": 0, "incomplete": true},
		{"effects": "deny", "when": {"classes": ["standard"]}},
		"x",
	]
	found.list_faults == {
		"findings.rules[1].effect", "findings.rules[1].types", "findings.rules[1].places",
		"findings.rules[1].min_count", "findings.rules[1].incomplete", "findings.rules[2].effects",
		"findings.rules[2].effect", "findings.rules[2].types", "findings.rules[2].when", "findings.rules[3]",
	} with data.lists.findings.rules as rules
	found.list_faults == {"findings.rules"} with data.lists.findings as {}
}

_of(findings, rules) := result if {
	result := findings_listed.findings with input as request_with(findings) with data.lists.findings.rules as rules
}
