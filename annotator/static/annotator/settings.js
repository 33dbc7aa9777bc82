// One more row of error types without a round trip; without this the button asks the server for it.

const more = document.getElementById('more-rows')

more?.addEventListener('click', (event) => {
  event.preventDefault()
  const list = document.querySelector('.kinds')
  const row = list.lastElementChild.cloneNode(true)
  row.classList.remove('wrong')
  row.querySelector('.error')?.remove()
  for (const field of row.querySelectorAll('input, textarea')) field.value = ''
  list.append(row)
  row.querySelector('input').focus()
  more.disabled = list.childElementCount >= Number(more.dataset.most)
})
