// Which figures make up which kind of picture; a panel names the runs that it draws by their place.

const PICTURES = {
  one: (app, words) => [
    new PointsPanel(words, { live: (...all) => app.dragged(...all), send: (what) => app.edit(what) }),
    new BowlPanel(words, words.panel_bowl, { pick: (a1, a2) => app.pick(a1, a2) }),
    new CurvePanel(words, "loss", words.panel_loss, words.alt_loss, { runs: [0, 1], x: "cost", y: "loss" }),
  ],
  three: (app, words) =>
    [0, 1, 2].flatMap((run) => [
      new BowlPanel(words, words[`rate_${["too_low", "good", "too_high"][run]}`], {
        runs: [run],
        bar: false,
        name: `bowl bowl-${run}`,
        pick: (a1, a2) => app.pick(a1, a2),
      }),
      new CurvePanel(words, `loss loss-${run}`, "", words.alt_loss, { runs: [run], x: "update", y: "loss" }),
    ]),
  test: (app, words) => [
    new CurvePanel(words, "range", words.panel_range, words.alt_range, {
      runs: [2],
      x: "rate",
      y: "loss",
      limit: "x",
      suggested: true,
    }),
    new CurvePanel(words, "rate", words.panel_rate, words.alt_rate, {
      runs: [0, 1],
      x: "update",
      y: "rate",
      limit: "y",
    }),
    new BowlPanel(words, words.panel_path, { runs: [0, 1], bar: false, pick: (a1, a2) => app.pick(a1, a2) }),
    new CurvePanel(words, "loss", words.panel_loss_plain, words.alt_loss, { runs: [0, 1], x: "update", y: "loss" }),
  ],
};
