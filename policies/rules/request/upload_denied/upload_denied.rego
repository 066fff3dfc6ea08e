# METADATA
# title: Files on the deny list are not uploaded
# description: |
#   `lists.deny.uploads.extensions` holds file name extensions in any case, with or without the dot; an empty text
#   stands for files without one. The extensions of all files are looked at, however many there are.
# scope: package
# schemas:
#   - input: schema.request.input
package skilltape.rules.request.upload_denied

findings contains {"effect": "deny", "message": message} if {
	some extension in input.upload.extensions
	some denied in data.lists.deny.uploads.extensions
	extension == trim_prefix(lower(denied), ".")
	message := $"{_files(extension)} may not be uploaded through this gateway."
}

_files(extension) := "Files without an extension" if {
	extension == ""
} else := $"Files named .{extension}"
