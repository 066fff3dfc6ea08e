package skilltape.rules.console.reason_given_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.reason_given

test_success_reason if {
	count(reason_given.findings) == 0 with input as example.console
}

test_fail_no_reason if {
	every reason in ["", "         \n  ", "x", "   short   "] {
		count(reason_given.findings) == 1 with input as object.union(example.console, {"reason": reason})
	}
}

test_success_what_is_held_is_shown_without_one if {
	document := object.union(example.console, {"reason": "", "action": "approvals"})
	count(reason_given.findings) == 0 with input as document
}
