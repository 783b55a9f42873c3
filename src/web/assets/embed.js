// <script src="https://…/embed.js" async></script>: puts the sign-up form where the script stands, in the font and colours of the page
// around it, and answers in place. Where that can't be done, the form comes in a frame instead. Its language is that of `data-lang`, else
// that of the page, else the reader's.
;(() => {
  const home = PUBLIC_URL
  /** The sites on which it answers in place; on others the answer opens in a tab of its own. */
  const origins = EMBED_ORIGINS
  /** What is said here, by language; `''`: in any other. */
  const words = EMBED_WORDS
  const script = document.currentScript
  const language = script.dataset.lang || document.documentElement.lang || navigator.language
  const tag = language.toLowerCase().replaceAll('_', '-')
  const own = words[tag] ?? words[tag.split('-')[0]] ?? words['']
  const query = `?lang=${encodeURIComponent(language)}`
  const place = document.createElement('div')
  script.after(place)

  const text = async (path) => {
    const answer = await fetch(home + path)
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
    return answer.text()
  }

  async function show() {
    const [form, css] = await Promise.all([text(`/embed/form${query}`), text('/embed/form.css')])
    const style = new CSSStyleSheet()
    style.replaceSync(css)
    const root = place.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [style]
    root.innerHTML = form
    begin(root, root.querySelector('form'))
  }

  function begin(root, form) {
    const zone = form.elements.timezone
    if (zone) {
      const own = Intl.DateTimeFormat().resolvedOptions().timeZone
      zone.value = [...zone.options].map(({ value }) => value).find((name) => name && isSameZone(name, own)) ?? ''
    }
    if (form.elements.form_url) form.elements.form_url.value = location.href.split(/[?#]/)[0]
    if (!origins.includes(location.origin)) return
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      send(root, form)
    })
  }

  /** Browsers keep to old names, such as Asia/Katmandu. */
  function isSameZone(name, own) {
    if (name === own) return true
    try {
      return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone === own
    } catch {
      return false
    }
  }

  async function send(root, form) {
    const button = form.querySelector('button[type=submit], button:not([type])')
    button.disabled = true
    try {
      const answer = await fetch(form.getAttribute('action'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(valuesOf(form)),
      })
      const said = await answer.json()
      if (answer.ok) return say(root, form, said.message)
      tell(root, form, said)
    } catch {
      tell(root, form, { detail: own.failed })
    } finally {
      button.disabled = false
    }
  }

  /** `frequency[politics]` becomes {frequency: {politics: …}}. */
  function valuesOf(form) {
    const values = {}
    for (const [name, value] of new FormData(form)) {
      const [, group, key] = /^(\w+)\[([^\]]*)\]$/.exec(name) ?? []
      if (group && key === '') (values[group] ??= []).push(value)
      else if (group) (values[group] ??= {})[key] = value
      else values[name] = name in values ? [values[name], value].flat() : value
    }
    return values
  }

  function say(root, form, message) {
    const answer = document.createElement('p')
    answer.setAttribute('role', 'status')
    answer.tabIndex = -1
    answer.className = 'deck'
    answer.textContent = message
    form.replaceWith(answer)
    answer.focus()
  }

  /** What is wrong: at the fields, and read out. */
  function tell(root, form, { detail, errors = [] }) {
    for (const old of root.querySelectorAll('[data-told]')) old.remove()
    for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid')
    const summary = document.createElement('p')
    summary.dataset.told = ''
    summary.setAttribute('role', 'alert')
    summary.textContent = [detail, ...errors.map(({ message }) => message)].join(' ')
    form.prepend(summary)
    const first = errors.map(({ field }) => form.elements[field]).find((field) => field?.focus)
    for (const { field } of errors) form.elements[field]?.setAttribute?.('aria-invalid', 'true')
    first?.focus()
  }

  function frame() {
    const origin = new URL(home).origin
    const inside = document.createElement('iframe')
    inside.src = `${home}/embed${query}`
    inside.title = own.frame
    inside.loading = 'lazy'
    inside.style.cssText = 'width:100%;max-width:40em;height:720px;border:0'
    place.replaceWith(inside)
    addEventListener('message', (event) => {
      if (event.origin !== origin || event.source !== inside.contentWindow) return
      const height = Number(event.data?.height)
      if (event.data?.broadsheet === 'height' && height > 0 && height < 5000)
        inside.style.height = `${Math.ceil(height)}px`
    })
  }

  show().catch(frame)
})()
