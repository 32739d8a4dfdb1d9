"""The caller's `numpy.errstate` within a call."""

from threading import Thread

import numpy as np

from skconv._input.errstate import callers, callers_errstate, quiet


def test_a_call_is_quiet_and_knows_the_caller():
    with np.errstate(divide="raise", under="warn"):
        given = {**np.geterr(), "call": np.geterrcall()}
        with quiet():
            assert set(np.geterr().values()) == {"ignore"}
            assert callers() == given
            with callers_errstate(), quiet():  # such as a prediction in a callback
                assert callers() == given
            with callers_errstate():
                assert np.geterr()["divide"] == "raise"
        assert np.geterr()["divide"] == "raise"
    with np.errstate(over="print"):  # outside of a call the state is the own
        assert callers()["over"] == "print"


def test_another_thread_knows_the_caller_by_what_it_is_given():
    found = []

    def work(known):
        with np.errstate(**known):
            found.append(np.geterr()["over"])

    with np.errstate(over="call", call=found.append), quiet():
        thread = Thread(target=work, args=(callers(),))
        thread.start()
        thread.join()
    assert found == ["call"]
