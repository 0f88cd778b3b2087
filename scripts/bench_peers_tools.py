"""How each load generator is asked for a load, and where it reports what it saw.

Used by bench_peers.py. A tool is a function that is given the load, the server's address and
an empty folder to work in, and returns its command line and a function that reads its report.
Times in a report are milliseconds.
"""

import json
from pathlib import Path

# No tool may look for anything beyond this machine.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "COLUMNS": "200",
}

PROMPT_TOKENS = 100
LONGEST_MINUTES = 5


def report(ok, ttft, tpot, tokens_per_second, scale, leaves_out_tail=False):
    """What a tool reports, in the words of the table; and whether its rate leaves out the time at
    the end in which fewer requests were in flight than asked for."""
    return {
        "ok": ok,
        "ttft": {name: value * scale for name, value in ttft.items()},
        "tpot": tpot * scale,
        "tokens_per_second": tokens_per_second,
        "leaves_out_tail": leaves_out_tail,
    }


def autotuner(load, base, work):
    """Ours. Without a warm-up, which the others lack, too."""
    command = [load.binary, "bench", "--url", base, "--model", "mock", "--json", "--warmup", "0"]
    command += ["--scenario", f"D({PROMPT_TOKENS},{load.tokens})", "--concurrency", str(load.streams)]
    command += ["--max-requests", str(load.requests), "--max-time", str(LONGEST_MINUTES * 60)]

    def read():
        (level,) = json.loads((work / "stdout").read_text())["raw_results"]
        stats = level["stats"]
        return report(
            level["num_completed_requests"],
            {name: stats["ttft"][name] for name in ("mean", "p50", "p99")},
            stats["tpot"]["mean"],
            level["mean_output_throughput_tokens_per_s"],
            1e3,
            leaves_out_tail=True,
        )

    return command, read


def genai_bench(load, base, work):
    """The load generator of the original system."""
    command = [load.home / "venv/bin/genai-bench", "benchmark", "--api-backend", "openai"]
    command += ["--api-base", base, "--api-key", "x", "--api-model-name", "mock", "--model", "mock"]
    command += ["--model-tokenizer", load.home / "tokenizer", "--task", "text-to-text"]
    command += ["--traffic-scenario", f"D({PROMPT_TOKENS},{load.tokens})"]
    command += ["--num-concurrency", str(load.streams), "--max-requests-per-run", str(load.requests)]
    command += ["--max-time-per-run", str(LONGEST_MINUTES), "--metrics-time-unit", "ms"]
    command += ["--experiment-base-dir", work, "--experiment-folder-name", "out"]

    def read():
        (path,) = (work / "out").glob("*_time_*.json")
        metrics = json.loads(path.read_text())["aggregated_metrics"]
        stats = metrics["stats"]
        return report(
            metrics["num_completed_requests"],
            {name: stats["ttft"][name] for name in ("mean", "p50", "p99")},
            stats["tpot"]["mean"],
            metrics["mean_output_throughput_tokens_per_s"],
            1.0,
        )

    return command, read


def inference_perf(load, base, work):
    """One worker, as it has one core. Its random prompts are for completions alone."""

    def lengths(tokens):
        return {"min": tokens, "max": tokens, "mean": tokens, "std_dev": 0, "total_count": load.requests}

    config = {
        "api": {"type": "completion", "streaming": True},
        "data": {
            "type": "random",
            "input_distribution": lengths(PROMPT_TOKENS),
            "output_distribution": lengths(load.tokens),
        },
        "load": {
            "type": "concurrent",
            "num_workers": 1,
            "worker_max_concurrency": load.streams,
            "stages": [{"concurrency_level": load.streams, "num_requests": load.requests}],
        },
        "server": {"type": "vllm", "model_name": "mock", "base_url": base, "ignore_eos": True},
        "tokenizer": {"pretrained_model_name_or_path": str(load.home / "tokenizer")},
        "report": {"request_lifecycle": {"summary": True, "percentiles": [50, 99]}},
        "storage": {"local_storage": {"path": str(work / "out")}},
    }
    # JSON is YAML.
    path = work / "config.yml"
    path.write_text(json.dumps(config))
    command = [load.home / "venv/bin/inference-perf", "-c", path, "--log-level", "WARNING"]

    def read():
        (path,) = Path(work / "out").rglob("summary_lifecycle_metrics.json")
        successes = json.loads(path.read_text())["successes"]
        latency = successes["latency"]
        ttft = latency["time_to_first_token"]
        return report(
            successes["count"],
            {"mean": ttft["mean"], "p50": ttft["median"], "p99": ttft["p99"]},
            latency["time_per_output_token"]["mean"],
            successes["throughput"]["output_tokens_per_sec"],
            1e3,
        )

    return command, read


TOOLS = {"autotuner": autotuner, "genai-bench": genai_bench, "inference-perf": inference_perf}
