# METADATA
# title: So many values an hour
# description: |
#   What an operator was shown in the last hour, and what was shown of a person by whomever, stay with what is asked for
#   now within `lists.console.limits`. Attempts that were denied do not count.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.hourly_limit

findings contains {"message": message} if {
	limit := data.lists.console.limits.values_per_operator_per_hour
	input.last_hour.operator_values + input.values > limit
	message := $"You may be shown {limit} values an hour, and had {input.last_hour.operator_values}."
}

findings contains {"message": message} if {
	limit := data.lists.console.limits.values_per_person_per_hour
	input.last_hour.person_values + input.values > limit
	message := $"Of one person {limit} values an hour may be shown, and {input.last_hour.person_values} were."
}
