// Fills in the browser's time zone where the reader hasn't chosen one. Without script the list stays on the site's zone.
const field = document.querySelector('select[name=timezone][data-guess=yes]')
if (field) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (zone) {
    if (![...field.options].some((option) => option.value === zone)) field.add(new Option(zone, zone))
    field.value = zone
  }
}
// After an error: where a screen reader and the keyboard begin.
document.getElementById('problems')?.focus()
