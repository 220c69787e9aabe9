"""A table of epochs printed as other tools print or save theirs: the numbers in, text out.

The table has the columns epoch, train_loss, valid_loss and error_rate.
`digits` behind the point, as many as the tool itself prints when left out.
"""

from __future__ import annotations

import json
import math


def rows_of(table):
    return [
        (int(row.epoch), float(row.train_loss), float(row.valid_loss), float(row.error_rate))
        for row in table.itertuples()
    ]


def separated(table, sign, *, digits=6, comma=False, head=("epoch", "train_loss", "valid_loss", "error_rate", "time")):
    lines = [sign.join(head)]
    for epoch, *values in rows_of(table):
        cells = [f"{value:.{digits}f}" for value in values]
        cells = [cell.replace(".", ",") for cell in cells] if comma else cells
        lines.append(sign.join([str(epoch), *cells, "00:12"]))
    return "\n".join(lines) + "\n"


def fastai(table, digits=6):
    lines = ["epoch     train_loss  valid_loss  error_rate  time    "]
    for epoch, *values in rows_of(table):
        cells = [f"{value:.{digits}f}".ljust(10) for value in values]
        lines.append("  ".join([str(epoch).ljust(8), *cells, "00:12   "]))
    return "\n".join(lines) + "\n"


def fastai_2018(table, digits=6):
    lines = ["Total time: 02:14", "epoch  train_loss  valid_loss  error_rate"]
    for epoch, *values in rows_of(table):
        lines.append(f"{epoch:<5}  " + "  ".join(f"{value:.{digits}f}  " for value in values) + "(00:33)")
    return "\n".join(lines)


def fastai_csv(table, digits=6):
    return separated(table, ",", digits=digits)


def copied(table, digits=6):
    return separated(table, "\t", digits=digits)


def semicolons(table, digits=6):
    return separated(table, ";", digits=digits, comma=True).replace("\n", "\r\n")


def markdown(table, digits=6):
    head, *rows = separated(table, " | ", digits=digits).splitlines()
    return "\n".join(f"| {line} |" for line in (head, "--- | ---: | ---: | ---: | ---", *rows))


def html(table, digits=6):
    head, *rows = separated(table, "\t", digits=digits).splitlines()
    body = "\n".join("<tr>\n  <td>" + row.replace("\t", "</td>\n  <td>") + "</td>\n</tr>" for row in rows)
    names = "".join(f'<th align="left">{name}</th>' for name in head.split("\t"))
    return f'<table border="1" class="dataframe">\n<thead>\n<tr>{names}</tr>\n</thead>\n{body}\n</table>'


def data_frame(table, digits=6):
    names = ["epoch", "train_loss", "valid_loss", "error_rate"]
    return table[names].map(lambda value: f"{value:.{digits}f}" if isinstance(value, float) else value).to_string()


def fastai_07(table, digits=6):
    lines = ["epoch      trn_loss   val_loss   accuracy                    "]
    for epoch, train, valid, error in rows_of(table):
        lines.append("100%|██████████| 17/17 [00:04<00:00,  3.9it/s, loss=0.4]")
        cells = [f"{value:.{digits}f}".ljust(10) for value in (train, valid, 1 - error)]
        lines.append(f"    {epoch}      " + " ".join(cells))
    return "\n".join(lines)


def fastai_brackets(table, digits=5):
    return "\n".join(
        f"[ {epoch}.      {train:.{digits}f} {valid:.{digits}f} {1 - error:.{digits}f}]"
        for epoch, train, valid, error in rows_of(table)
    )


def keras_values(train, valid, error, digits):
    return (
        f"loss: {train:.{digits}f} - accuracy: 0.9000 - "
        f"val_loss: {valid:.{digits}f} - val_accuracy: {1 - error:.{digits}f}"
    )


def keras(table, digits=4):
    rows, text = rows_of(table), "Train on 212 samples, validate on 53 samples\n"
    for epoch, train, valid, error in rows:
        text += f"Epoch {epoch + 1}/{len(rows)}\n\n"
        for step in (1, 4):
            bar = "=" * step + ">" + "." * (6 - step)
            text += f" {step}/7 [{bar}] - ETA: 1s - loss: {2 * train:.4f} - accuracy: 0.1000" + "\b" * 60 + "\r"
        text += f"7/7 [=======] - 2s 20ms/step - {keras_values(train, valid, error, digits)}\n"
    return text


def keras_3(table, digits=4):
    rows, text = rows_of(table), ""
    for epoch, train, valid, error in rows:
        text += f"Epoch {epoch + 1}/{len(rows)}\n"
        text += "\x1b[1m3/7\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m━━━━\x1b[0m \x1b[1m1s\x1b[0m 20ms/step"
        text += f" - loss: {3 * train:.4f}"
        text += "\r\x1b[1m7/7\x1b[0m \x1b[32m━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m2s\x1b[0m 40ms/step - "
        text += keras_values(train, valid, error, digits) + " - learning_rate: 0.0010\n"
    return text


def keras_quiet(table, digits=4):
    rows = rows_of(table)
    return "\n".join(
        f"Epoch {epoch + 1}/{len(rows)}\n7/7 - 2s - {keras_values(*values, digits)} - 2s/epoch - 290ms/step"
        for epoch, *values in rows
    )


def keras_csv(table, digits=8):
    lines = ["epoch,accuracy,loss,val_accuracy,val_loss"]
    for epoch, train, valid, error in rows_of(table):
        lines.append(f"{epoch},0.9,{train:.{digits}f},{1 - error:.{digits}f},{valid:.{digits}f}")
    return "\r\n".join(lines)


def keras_history(table, digits=8):
    rows = rows_of(table)
    return {
        "loss": [round(train, digits) for _, train, _, _ in rows],
        "accuracy": [0.9 for _ in rows],
        "val_loss": [round(valid, digits) for _, _, valid, _ in rows],
        "val_accuracy": [round(1 - error, digits) for *_, error in rows],
    }


def keras_dict(table, digits=8):
    return f">>> history.history\n{keras_history(table, digits)}\n"


def keras_json(table, digits=8):
    return json.dumps(keras_history(table, digits))


def keras_frame_json(table, digits=8):
    history = keras_history(table, digits)
    return json.dumps({name: {str(i): v for i, v in enumerate(values)} for name, values in history.items()}, indent=1)


def lightning(table, digits=8):
    lines = ["epoch,lr-Adam,step,train_loss_epoch,train_loss_step,val_acc,val_loss"]
    for epoch, train, valid, error in rows_of(table):
        step = 7 * epoch
        lines += [f",0.001,{step},,,,", f"{epoch},,{step + 4},,{2 * train:.{digits}f},,"]
        lines.append(f"{epoch},,{step + 6},,,{1 - error:.{digits}f},{valid:.{digits}f}")
        lines.append(f"{epoch},,{step + 6},{train:.{digits}f},,,")
    return "\n".join(lines)


def lightning_steps(table, digits=8):
    """The training loss logged at steps only: two values around the mean of each epoch."""
    lines = ["train_loss,epoch,step,val_loss,val_acc"]
    for epoch, train, valid, error in rows_of(table):
        lines += [f"{train + delta!r},{epoch},{9 * epoch + 4},," for delta in (0.25, -0.25)]
        lines.append(f",{epoch},{9 * epoch + 8},{valid:.{digits}f},{1 - error:.{digits}f}")
    return "\n".join(lines)


def loop(table, digits=4):
    """As loops written by hand print."""
    text = ""
    for epoch, train, valid, error in rows_of(table):
        text += f"Epoch {epoch}/24\n----------\ntrain Loss: {train:.{digits}f} Acc: 0.9000\n"
        text += f"val Loss: {valid:.{digits}f} Acc: {1 - error:.{digits}f}\n\n"
    return text


def one_line_loop(table, digits=4):
    return "\n".join(
        f"Epoch [{epoch + 1}/24], Train Loss: {train:.{digits}f}, Val Loss: {valid:.{digits}f}, "
        f"Val Accuracy: {100 * (1 - error):.{digits}f}%"
        for epoch, train, valid, error in rows_of(table)
    )


def ours_records(table):
    for epoch, train, valid, error in rows_of(table):
        numbers = {"train_loss": train, "train_loss_eval": train, "train_loss_smooth": 1.1 * train, "valid_loss": valid}
        shares = {"error_rate": error, "accuracy": 1 - error, "wrong": round(53 * error), "of": 53}
        yield {"stage": 0, "epoch": epoch, **numbers, **shares, "lr": 0.003, "seconds": 2.1, "images_per_s": 99.0}


def ours_json(table, digits=None):
    lines = ["computing activations: 265 of 265"]
    for record in ours_records(table):
        lines.append(json.dumps({k: v if math.isfinite(v) else None for k, v in record.items()}))
    return "\n".join([*lines, '{"run": "abc", "state": "done", "error_rate": 0.5, "wrong": 1, "of": 53}'])


def ours_csv(table, digits=None):
    records = list(ours_records(table))
    lines = [",".join(records[0]), *(",".join(str(value) for value in record.values()) for record in records)]
    return "\n".join(lines)


PRINTERS = {
    printer.__name__: printer
    for printer in (
        fastai, fastai_2018, fastai_csv, copied, semicolons, markdown, html, data_frame, fastai_07, fastai_brackets,
        keras, keras_3, keras_quiet, keras_csv, keras_dict, keras_json, keras_frame_json, lightning, lightning_steps,
        loop, one_line_loop, ours_json, ours_csv,
    )
}  # fmt: skip
