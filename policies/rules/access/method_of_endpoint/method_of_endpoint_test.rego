package skilltape.rules.access.method_of_endpoint_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.method_of_endpoint

test_success_methods_of_the_kind if {
	count(method_of_endpoint.findings) == 0 with input as example.access
	count(method_of_endpoint.findings) == 0 with input as _called("models", "GET")
}

test_success_kind_that_is_not_enabled_is_left_to_another_rule if {
	count(method_of_endpoint.findings) == 0 with input as _called("other", "GET")
}

test_fail_other_methods if {
	every call in [["messages", "GET"], ["messages", "post"], ["models", "POST"], ["models", "HEAD"], ["models", ""]] {
		count(method_of_endpoint.findings) == 1 with input as _called(call[0], call[1])
	}
}

test_fail_names_the_methods if {
	method_of_endpoint.findings == {{
		"effect": "deny",
		"message": "Endpoints of the kind models take GET at this gateway.",
	}} with input as _called("models", "DELETE")
}

_called(kind, method) := example.access_with({"request": {"endpoint_kind": kind, "method": method}})
