"""Inference by ONNX Runtime, of models that PyTorch exports. Usage: onnx_runtime.py FOLDER    (where it keeps them)"""
import pathlib
import sys
import warnings

import numpy
import onnxruntime

import contestant

FOLDER = pathlib.Path(sys.argv[1])


def export(work, batch, path):
    import pytorch
    import torch
    torch.backends.mha.set_fastpath_enabled(False)  # it has no counterpart in ONNX
    model, x = pytorch.model_and_input(work, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model.eval(), x, path, dynamo=False, input_names=["x"])


def prepare(request):
    if request.phase != "infer" or request.dtype != "float32" or not request.work.startswith("W"):
        return None
    path = FOLDER / f"{request.work}-{request.batch}.onnx"
    if not path.exists():
        export(request.work, request.batch, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request.threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = numpy.random.default_rng(0).standard_normal(session.get_inputs()[0].shape, numpy.float32)
    return lambda: session.run(None, {"x": x})


if __name__ == "__main__":
    contestant.serve(prepare)
