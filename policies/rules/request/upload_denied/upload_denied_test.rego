package skilltape.rules.request.upload_denied_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.request.upload_denied

test_success_with_the_shipped_list if {
	count(upload_denied.findings) == 0 with input as example.upload_with(["exe", "md", ""])
}

test_success_other_extensions if {
	count(upload_denied.findings) == 0 with input as example.upload_with(["md", ""])
		with data.lists.deny.uploads.extensions as ["exe"]
}

test_success_other_requests if {
	count(upload_denied.findings) == 0 with input as example.request with data.lists.deny.uploads.extensions as ["", "exe"]
}

test_fail_listed_extension_in_any_case if {
	upload_denied.findings == {{
		"effect": "deny",
		"message": "Files named .exe may not be uploaded through this gateway.",
	}} with input as example.upload_with(["md", "exe"]) with data.lists.deny.uploads.extensions as ["EXE"]
}

test_fail_extension_listed_with_its_dot if {
	count(upload_denied.findings) == 1 with input as example.upload_with(["exe"])
		with data.lists.deny.uploads.extensions as [".exe"]
}

test_fail_files_without_an_extension if {
	upload_denied.findings == {{
		"effect": "deny",
		"message": "Files without an extension may not be uploaded through this gateway.",
	}} with input as example.upload_with(["md", ""]) with data.lists.deny.uploads.extensions as [""]
}

test_fail_file_beyond_the_listed_parts if {
	document := object.union(example.upload_with(["exe"]), {"upload": {"parts": [], "truncated": true}})
	count(upload_denied.findings) == 1 with input as document with data.lists.deny.uploads.extensions as ["exe"]
}
