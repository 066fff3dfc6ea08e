package skilltape.lib.lists_test

import data.skilltape.lib.lists

list := {"names": ["exact", "other"], "prefixes": ["claude-", "älter-", "a"]}

wanted := {"exact", "claude-", "claude-1", "älter-2", "a", "ab"}

unwanted := {"", "exac", "exact1", "claude", "Claude-1", "älter", "b"}

# More names than are compared one by one.
others := {$"z{number}" | some number in numbers.range(1, 100)}

test_success_names_and_beginnings_of_few_and_of_many_names if {
	lists.matched(list, wanted | unwanted) == wanted
	lists.matched(list, ((wanted | unwanted) | others)) == wanted
}

test_success_an_empty_prefix_is_the_beginning_of_every_name if {
	every names in [unwanted, (unwanted | others)] { lists.beginning(names, [""]) == names }
}

test_fail_nothing_is_in_an_empty_list if {
	empty := {"names": [], "prefixes": []}
	every names in [wanted, (wanted | others)] { count(lists.matched(empty, names)) == 0 }
}

test_success_patterns_fit_whole_names_and_beginnings if {
	patterns := {"exact", "claude-*", "älter-*", "a*"}
	lists.fitting(patterns, wanted | unwanted) == wanted
	lists.fitting(patterns, ((wanted | unwanted) | others)) == wanted
	lists.fitting({"*"}, unwanted | others) == unwanted | others
}

test_fail_what_is_no_text_has_no_beginning if {
	every names in [{1, null, ["a"]}, ({1, null, ["a"]} | others)] { count(lists.matched(list, names)) == 0 }
}
