// Fills in the browser's time zone where the reader hasn't chosen one, and says which one holds. Without script it is the site's.
const field = document.querySelector('select[name=timezone]')
const shown = document.querySelector('[data-zone-name]')
// Browsers keep to old names: Asia/Katmandu.
const sameZone = (a, b) => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: a }).resolvedOptions().timeZone === b
  } catch {
    return false
  }
}
if (field) {
  // Some browsers make up a zone.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? ''
  if (field.dataset.guess && zone !== 'Etc/Unknown' && /^(UTC$|[A-Z]\w+\/)/.test(zone)) {
    const zones = [...field.options].map(({ value }) => value).filter(Boolean)
    field.value = zones.includes(zone) ? zone : (zones.find((one) => sameZone(one, zone)) ?? '')
  }
  const say = () => {
    if (!shown) return
    const name = field.value || field.dataset.site
    const place = name.split('/').pop().replaceAll('_', ' ')
    shown.textContent = name.includes('/') ? shown.dataset.zoneName.replace('{place}', place) : name
  }
  field.addEventListener('change', say)
  // A browser that goes back puts the reader's choice into the field again.
  addEventListener('pageshow', say)
}
// After an error: where a screen reader and the keyboard begin.
document.getElementById('problems')?.focus()
