# METADATA
# title: Lists of what everybody made are closed
# description: |
#   Who shares a key of Claude shares its workspace, and the answers of these endpoints show the files, batches, skills or
#   sessions of all. `lists.ownership.closed` names the endpoints. Where the connection filters a list it is not closed.
# scope: package
# schemas:
#   - input: schema.access.input
#   - data.lists.ownership: schema.ownership.list
package skilltape.rules.access.list_closed

import data.skilltape.lib.shown

findings contains {"effect": "deny", "message": message} if {
	input.request.endpoint in data.lists.ownership.closed
	input.request.list_filtered == false
	message := concat(" ", [
		$"The endpoint {shown.name(input.request.endpoint)} is closed at this gateway:",
		"its answer shows what other people made. Ask for what is yours by its id.",
	])
}
