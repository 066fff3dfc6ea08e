package skilltape.rules.access.endpoint_secrets_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.endpoint_secrets

test_success_endpoints_without_credentials if {
	every treatment in ["prompt", "content", "settings", "housekeeping", "unknown"] {
		count(endpoint_secrets.findings) == 0 with input as _of("messages.create", treatment)
	}
}

test_success_opened_by_name_or_family if {
	every entry in ["vaults.create", "vaults.*"] {
		count(endpoint_secrets.findings) == 0 with input as _of("vaults.create", "secrets")
			with data.lists.endpoints.allowed_with_secrets as [entry]
	}
}

test_fail_dangerous_endpoints_with_the_shipped_list if {
	every endpoint in [
		"oauth.token", "oauth.claude_code.write", "organizations.read", "organizations.write", "vaults.create",
		"vaults.credentials.get", "tunnels.reveal_token", "sessions.resources.update", "environments.work.poll",
		"user_profiles.enrollment_url", "claude_code.eval.write",
	] {
		count(endpoint_secrets.findings) == 1 with input as _of(endpoint, "secrets")
	}
}

test_fail_the_other_list_does_not_open if {
	endpoint_secrets.findings == {{
		"effect": "deny",
		"message": concat(" ", [
			"The endpoint \"vaults.create\" carries credentials and is closed at this gateway.",
			"Use it without the gateway, or ask its operators.",
		]),
	}} with input as _of("vaults.create", "secrets") with data.lists.endpoints.allowed as ["vaults.*", "vaults.create"]
}

_of(endpoint, treatment) := example.access_with({"request": {
	"endpoint": endpoint,
	"endpoint_treatment": treatment,
}})
