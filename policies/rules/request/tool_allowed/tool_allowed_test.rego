package skilltape.rules.request.tool_allowed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.tool_allowed

test_success_list_without_entries if {
	count(tool_allowed.findings) == 0 with input as _with(["bash"], ["custom"])
}

test_success_listed_names_and_types if {
	count(_of(["Bash", "Read"], ["custom"], [{"tools": ["Bash", "Re*"]}])) == 0
	count(_of(["web_search"], ["web_search_20250305"], [{"tools": ["web_search"], "types": ["web_search_*"]}])) == 0
}

test_fail_other_names if {
	_of(["Bash", "Write"], ["custom"], [{"tools": ["Bash"]}]) == {{
		"effect": "deny",
		"message": "The tool \"Write\" is not one of those that you may use.",
	}}
}

test_fail_tool_of_another_type_has_the_listed_name_or_none if {
	every names in [["Bash"], []] {
		_of(names, ["web_fetch_20250910"], [{"tools": ["Bash"]}]) == {{
			"effect": "deny",
			"message": "Tools of the type \"web_fetch_20250910\" are not among those that you may use.",
		}}
	}
}

test_fail_caller_whom_no_entry_is_for if {
	count(_of(["Bash"], ["custom"], [{"when": {"connections": ["sandbox"]}, "tools": ["*"]}])) == 2
}

_with(names, types) := example.request_with({"claude": {"tool_names": names, "tool_types": types}})

_of(names, types, rules) := findings if {
	findings := tool_allowed.findings with input as _with(names, types) with data.lists.allowed_tools.rules as rules
}
