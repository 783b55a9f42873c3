// Keeps what a reader sees in step: a topic that gets a frequency of its own is ticked, and a tick ends it. So the last thing that
// was chosen holds. Without script the page says which one goes first.
for (const form of document.querySelectorAll('form.signup')) {
  const tickOf = (slug) => form.querySelector(`input[name=categories][value="${slug}"]`)
  form.addEventListener('change', ({ target }) => {
    if (target.name === 'categories') {
      const own = form.querySelector(`input[name="frequency[${target.value}]"][value=""]`)
      if (own) own.checked = true
    }
    const slug = /^frequency\[(.+)\]$/.exec(target.name)?.[1]
    const tick = slug && tickOf(slug)
    if (tick && target.value !== '') tick.checked = target.value !== 'off'
  })
}
