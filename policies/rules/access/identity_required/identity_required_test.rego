package skilltape.rules.access.identity_required_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.identity_required

test_success_identity_of_the_issuer if {
	count(identity_required.findings) == 0 with input as example.access
}

test_success_identity_of_either_issuer if {
	count(identity_required.findings) == 0 with input as example.access_with({"connection": {"issuers": [
		"https://ci.example",
		"https://idp.example",
	]}})
}

test_fail_message_names_each_issuer if {
	message := _message({"identity": null, "connection": {"issuers": ["https://a.example", "https://b.example"]}})
	contains(message, "Get a token from https://a.example or https://b.example and")
}

test_fail_without_an_issuer if {
	_message({"connection": {"issuers": []}})
}

test_fail_without_token if {
	message := _message({"identity": null, "authentication": {"failure": "missing"}})
	message == concat("", [
		"The request carries no token. ",
		"Get a token from https://idp.example and send it as `authorization: Bearer <token>`.",
	])
}

test_fail_with_refused_token if {
	message := _message({"identity": null, "authentication": {"failure": "failed", "detail": "Jwt is expired"}})
	startswith(message, "The token was refused (Jwt is expired). Get a token from")
}

test_fail_detail_of_unusual_form_is_not_repeated if {
	message := _message({"identity": null, "authentication": {"failure": "failed", "detail": "a\u001b[2Jb"}})
	startswith(message, "The token was refused. Get a token from")
}

test_fail_with_two_credentials if {
	message := _message({"identity": null, "authentication": {"failure": "two_credentials"}})
	startswith(message, "The request carries two credentials, `authorization` and `x-api-key`.")
}

test_fail_with_token_of_another_issuer if {
	message := _message({"identity": null, "authentication": {"failure": "wrong_issuer"}})
	startswith(message, "The token is of another issuer.")
}

test_fail_with_identity_of_another_issuer if {
	message := _message({"identity": {"issuer": "https://evil.example"}})
	startswith(message, "The token is of another issuer.")
}

test_fail_with_failure_beside_identity if {
	_message({"authentication": {"failure": "failed"}})
}

test_fail_without_identity_or_failure if {
	startswith(_message({"identity": null}), "The caller could not be identified.")
}

test_fail_without_subject if {
	_message({"identity": {"subject": ""}})
}

test_fail_when_neither_side_names_an_issuer if {
	_message({"identity": {"issuer": ""}, "connection": {"issuers": [""]}})
}

_message(change) := message if {
	some finding in identity_required.findings with input as example.access_with(change)
	finding.effect == "deny"
	finding.status == 401
	message := finding.message
}
