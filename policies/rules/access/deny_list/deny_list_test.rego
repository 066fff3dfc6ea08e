package skilltape.rules.access.deny_list_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.deny_list

test_success_nobody_listed if {
	count(deny_list.findings) == 0 with input as example.access
}

test_success_without_identity if {
	count(deny_list.findings) == 0 with input as example.access_with({"identity": null})
}

test_success_others_listed if {
	count(deny_list.findings) == 0 with input as example.access
		with data.lists.deny as _lists(["u-2"], ["b@example.org"], ["st"])
}

test_fail_group_of_the_shipped_list if {
	count(deny_list.findings) == 1 with input as example.access_with({"identity": {"groups": ["staff", "suspended"]}})
}

test_fail_listed_subject if {
	count(deny_list.findings) == 1 with input as example.access
		with data.lists.deny as _lists(["u-1"], [], [])
}

test_fail_listed_email_in_any_case if {
	count(deny_list.findings) == 1 with input as example.access
		with data.lists.deny as _lists([], ["ADA@Example.org"], [])
}

test_fail_message_does_not_say_which_entry if {
	some finding in deny_list.findings with input as example.access
		with data.lists.deny as _lists(["u-1"], [], ["staff"])
	not contains(finding.message, "u-1")
	not contains(finding.message, "staff")
}

_lists(subjects, emails, groups) := {"subjects": subjects, "emails": emails, "groups": groups}
