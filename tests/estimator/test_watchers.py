"""Engines that tell no speed, and those who watch them: whose row is it?"""

from llmtop.estimator.watchers import Watchers
from llmtop.probes.sample import Engine, Liveness, Sample, Status

MLX = "http://127.0.0.1:8080"
PROXY = "http://127.0.0.1:9000"


def engine(*, liveness: Liveness | None = None, status: Status = "ok") -> Engine:
    return Engine(engine="mlx-lm", url=MLX, status=status, liveness=liveness, problem="publishes no live count")


def watcher(*, upstream: str = "http://localhost:8080", status: Status = "ok", liveness: Liveness = "token") -> Engine:
    return Engine(
        engine="unknown", url=PROXY, status=status, upstream=upstream, liveness=liveness, decode_tokens=7.0, about=True
    )


def told(watchers: Watchers, source: str, reading: Engine, time: float = 0.0) -> tuple[str, Engine | None]:
    return watchers.assign(Sample(source=source, time=time, wall=0.0, period=1.0, reading=reading), reading)


def test_the_counts_go_to_the_row_of_the_engine() -> None:
    watchers = Watchers()
    told(watchers, MLX, engine())
    source, row = told(watchers, PROXY, watcher())
    assert row is not None
    assert (source, row.engine, row.url, row.decode_tokens, row.about) == (MLX, "mlx-lm", MLX, 7.0, True)
    assert row.problem is None
    assert told(watchers, MLX, engine(), time=1.0) == (MLX, None)


def test_a_watcher_of_nobody_that_is_known_has_a_row() -> None:
    reading = watcher()
    assert told(Watchers(), PROXY, reading) == (PROXY, reading)


def test_an_engine_that_tells_its_speed_keeps_its_own() -> None:
    watchers = Watchers()
    live = engine(liveness="step")
    told(watchers, MLX, live)
    assert told(watchers, PROXY, watcher()) == (MLX, None)
    assert told(watchers, MLX, live, time=1.0) == (MLX, live)


def test_when_the_watcher_falls_silent_or_goes_the_engine_speaks_again() -> None:
    watchers = Watchers()
    told(watchers, MLX, engine())
    told(watchers, PROXY, watcher())
    assert told(watchers, MLX, engine(), time=30.0) == (MLX, engine())
    told(watchers, PROXY, watcher(), time=31.0)
    told(watchers, PROXY, watcher(status="unreachable"), time=32.0)
    assert told(watchers, MLX, engine(), time=32.5) == (MLX, engine())
    told(watchers, PROXY, watcher(), time=33.0)
    watchers.drop(PROXY)
    assert told(watchers, MLX, engine(), time=33.5) == (MLX, engine())


def test_an_engine_that_is_gone_is_not_kept_alive_by_its_watcher() -> None:
    watchers = Watchers()
    gone = engine(status="unreachable")
    told(watchers, PROXY, watcher())
    assert told(watchers, MLX, gone) == (MLX, gone)
    assert told(watchers, PROXY, watcher()) == (MLX, None)


def test_a_log_with_no_line_of_interest_says_nothing() -> None:
    watchers = Watchers()
    told(watchers, MLX, engine())
    silent = Engine(engine="unknown", url="log x", status="ok", upstream=MLX)
    assert told(watchers, "log x", silent) == (MLX, None)
    assert told(watchers, MLX, engine(), time=1.0) == (MLX, engine())


def test_another_port_is_another_engine() -> None:
    watchers = Watchers()
    told(watchers, MLX, engine())
    other = watcher(upstream="http://127.0.0.1:8081")
    assert told(watchers, PROXY, other) == (PROXY, other)
