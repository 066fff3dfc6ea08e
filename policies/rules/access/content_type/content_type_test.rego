package skilltape.rules.access.content_type_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.content_type

test_success_json if {
	every type in [
		"application/json", "Application/JSON", "application/json;charset=utf-8",
		"application/json ; charset=utf-8", "application/json; v=\"1\"",
		"application/json; charset=\"UTF-8\"", "application/json; v=1; Charset=UTF-8 ; w=2",
	] {
		every form in ["messages", "completion", "batch", "json"] {
			count(content_type.findings) == 0 with input as _of(form, type)
		}
	}
}

test_success_multipart if {
	every type in ["multipart/form-data; boundary=----b", "Multipart/Form-Data;boundary=\"b\""] {
		count(content_type.findings) == 0 with input as _of("upload", type)
	}
}

test_success_endpoint_without_a_body if {
	count(content_type.findings) == 0 with input as _of("none", "")
	count(content_type.findings) == 0 with input as _of("none", "text/plain")
}

test_success_no_type_where_no_body_is_announced if {
	every length in [0, null] {
		count(content_type.findings) == 0 with input as _untyped("json", length)
	}
}

test_fail_other_types if {
	every type in [
		"", "text/plain", "application/jsonx", "application/json, text/plain", "application/json;a=b, text/plain",
		"text/plain;application/json", "application/json\n", "multipart/form-data; boundary=application/json",
	] {
		every form in ["messages", "completion", "batch", "json"] {
			content_type.findings == {{
				"effect": "deny",
				"status": 415,
				"message": "This endpoint takes a body of content-type application/json in UTF-8.",
			}} with input as _of(form, type)
		}
	}
}

test_fail_json_in_a_charset_that_is_not_utf_8 if {
	every type in [
		"application/json; charset=utf-16", "application/json;charset=utf-7", "application/json; CHARSET=shift_jis",
		"application/json; charset=utf-8; charset=utf-16", "application/json; charset=\"utf-16le\"", "application/json; charset",
		"application/json; charset =utf-16", "application/json; charset*=utf-8''utf-16", "application/json; charset=",
		"application/json; x=\"; charset=utf-16\"",
	] {
		every form in ["messages", "completion", "batch", "json"] {
			count(content_type.findings) == 1 with input as _of(form, type)
		}
	}
}

test_fail_upload_of_another_type if {
	every type in [
		"", "application/json", "multipart/form-data", "multipart/mixed; boundary=b",
		"multipart/form-data; boundary=a, multipart/form-data; boundary=b", "x; multipart/form-data; boundary=b",
	] {
		content_type.findings == {{
			"effect": "deny",
			"status": 415,
			"message": "This endpoint takes a body of content-type multipart/form-data.",
		}} with input as _of("upload", type)
	}
}

test_fail_no_type_where_a_body_is_needed if {
	count(content_type.findings) == 1 with input as _untyped("json", 1)
	count(content_type.findings) == 1 with input as _untyped("messages", null)
	count(content_type.findings) == 1 with input as _untyped("upload", null)
}

_of(form, type) := example.access_with({"request": {"body_form": form, "content_type": type}})

_untyped(form, length) := example.access_with({"request": {
	"body_form": form,
	"content_type": "",
	"content_length": length,
}})
