// The quiz: says whether a choice is right, opens the explanation, counts.
'use strict';
(() => {
  function attach(question, count) {
    const verdict = question.querySelector('.verdict');
    const answer = question.querySelector('details');
    const choices = [...question.querySelectorAll('input')];
    const check = document.createElement('button');
    check.type = 'button';
    check.textContent = 'Check';
    check.className = 'screen';
    verdict.before(check);
    answer.hidden = true;
    check.addEventListener('click', () => {
      const chosen = choices.find((c) => c.checked);
      if (!chosen) {
        verdict.textContent = 'Choose an answer first.';
        return;
      }
      const right = chosen.value === question.dataset.right;
      question.dataset.answered = right ? 'right' : 'wrong';
      verdict.textContent = right ? 'Right.' : 'Not so.';
      answer.hidden = false;
      answer.open = true;
      for (const c of choices) c.disabled = true;
      check.hidden = true;
      count();
    });
  }
  function start(root) {
    const questions = [...root.querySelectorAll('.question')];
    const score = root.querySelector('#quiz-score');
    const count = () => {
      const right = questions.filter((q) => q.dataset.answered === 'right');
      if (questions.every((q) => q.dataset.answered)) score.textContent = `${right.length} of ${questions.length} right.`;
    };
    for (const question of questions) attach(question, count);
  }
  start(document);
  document.addEventListener('replaced', (event) => start(event.detail));
})();
