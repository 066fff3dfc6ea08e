package skilltape.rules.access.content_type_json_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.content_type_json

test_success_json if {
	every type in [
		"application/json", "Application/JSON", "application/json;charset=utf-8",
		"application/json ; charset=utf-8", "application/json; v=\"1\"",
	] {
		count(content_type_json.findings) == 0 with input as _of_type(type)
	}
}

test_success_request_without_a_body if {
	change := {"request": {"method": "GET", "endpoint_kind": "models", "content_type": ""}}
	count(content_type_json.findings) == 0 with input as example.access_with(change)
}

test_fail_other_types if {
	every type in [
		"", "text/plain", "application/jsonx", "application/json, text/plain", "application/json;a=b, text/plain",
		"text/plain;application/json", "application/json\n", "multipart/form-data; boundary=application/json",
	] {
		content_type_json.findings == {{
			"effect": "deny",
			"status": 415,
			"message": "This endpoint takes a body of content-type application/json.",
		}} with input as _of_type(type)
	}
}

_of_type(type) := example.access_with({"request": {"content_type": type}})
