// The quiz: says whether a choice is right, opens the explanation, counts.
'use strict';
(() => {
  const questions = [...document.querySelectorAll('.question')];
  const score = document.getElementById('quiz-score');
  function count() {
    const answered = questions.filter((q) => q.dataset.answered);
    const right = answered.filter((q) => q.dataset.answered === 'right');
    if (answered.length === questions.length) score.textContent = `${right.length} of ${questions.length} right.`;
  }
  for (const question of questions) {
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
})();
