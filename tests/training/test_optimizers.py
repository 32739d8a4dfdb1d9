"""Optimisers against PyTorch's trajectories; what all share is in `test_optimizer`."""

import numpy as np
import pytest

from skconv.training.optimizers import SGD, Adam, Muon, RMSProp

START = np.array([0.5, -1.0, 2.0])

# Parameters after some steps on the gradient of `slope`, by PyTorch 2.13.
PYTORCH = {
    "adam": (
        lambda: Adam().start(3, np.float64),
        0.05,
        {
            1: [0.5499999933333343, -1.04999999875, 1.95000000003125],
            2: [0.5957961343665613, -1.0997381801169215, 1.9001348556024202],
            5: [0.6263499258478145, -1.2437366579513554, 1.7522965052908464],
            10: [0.5513797476496745, -1.4155306580356197, 1.5174516535694655],
        },
    ),
    "adam with its own decays": (
        lambda: Adam(beta_1=0.8, beta_2=0.95, epsilon=1e-3).start(3, np.float64),
        0.1,
        {
            1: [0.5986842105263158, -1.0997506234413965, 1.9000062496093995],
            2: [0.6450839313362515, -1.1972846057392779, 1.8009629867228105],
            5: [0.5513103515125144, -1.4193949648719277, 1.5162656187290324],
            10: [0.608633805343978, -1.3336753002240107, 1.1170395299518558],
        },
    ),
    "momentum": (
        lambda: SGD(nesterovs_momentum=False).start(3, np.float64),
        0.02,
        {
            1: [0.5015, -1.008, 1.68],
            2: [0.5043274324325, -1.023054844928, 1.20233472],
            5: [0.5190161675552982, -1.1005664928432688, -0.1780459833991768],
            10: [0.5539736232588198, -1.2757126187341046, -1.4049182049166615],
        },
    ),
    "nesterov": (
        lambda: SGD().start(3, np.float64),
        0.02,
        {
            1: [0.50285, -1.0152, 1.3920000000000001],
            2: [0.5068333111378333, -1.036352218397389, 0.927810650112],
            5: [0.5237070882134018, -1.1244834411914062, -0.06956482813837629],
            10: [0.5581232142842547, -1.2906353626103515, -0.9999937859970474],
        },
    ),
    "rmsprop": (
        lambda: RMSProp().start(3, np.float64),
        0.02,
        {
            1: [0.6999997333336888, -1.1999999500000125, 1.8000000012500001],
            2: [0.5226907903013944, -1.2830231039347244, 1.6817966023777753],
            5: [0.5850402031083335, -1.3253136574662514, 1.4658519251413595],
            10: [0.5848033803974172, -1.3263510830430199, 1.2611291999642453],
        },
    ),
    "rmsprop with its own decay": (
        lambda: RMSProp(decay=0.8, epsilon=1e-3).start(3, np.float64),
        0.05,
        {
            1: [0.6085665691586861, -1.1111818733085304, 1.8882122239416554],
            2: [0.5701935091649685, -1.1810083603056318, 1.811609213078248],
            5: [0.593200894842604, -1.2919267665348322, 1.6441510340952155],
            10: [0.5471326470971588, -1.3260859098299362, 1.4331091703749097],
        },
    ),
    "plain": (
        lambda: SGD(momentum=0.0).start(3, np.float64),
        0.02,
        {
            1: [0.5015, -1.008, 1.68],
            2: [0.5029774324324999, -1.015854844928, 1.49033472],
            5: [0.5072764082249077, -1.0385526895231754, 1.178177921508724],
            10: [0.514009798413776, -1.073533227643733, 0.932668628709063],
        },
    ),
}


def slope(p):
    return np.array([1.0, 0.3, 2.0]) * p**3 - np.array([0.2, -0.7, 0.0])


@pytest.mark.parametrize("name", PYTORCH)
def test_trajectory_equals_pytorch(name):
    make, rate, expected = PYTORCH[name]
    optimizer, p = make(), START.copy()
    for step in range(1, 11):
        optimizer.begin()
        optimizer.update(p, slope(p), rate)
        if step in expected:
            np.testing.assert_allclose(p, expected[step], rtol=0, atol=1e-10)


def test_decoupled_decay_before_the_update_is_pytorchs_adamw():
    optimizer, p, rate, decay = Adam().start(3, np.float64), START.copy(), 0.05, 0.3
    expected = {
        1: [0.5424999933333342, -1.03499999875, 1.92000000003125],
        2: [0.5814961270142084, -1.0693192095757964, 1.8414523636855893],
        5: [0.6169321474771348, -1.166706136441109, 1.6160334719313723],
        10: [0.551679756073659, -1.295649774306587, 1.2823067966145871],
    }
    for step in range(1, 11):
        gradient = slope(p)
        p -= rate * decay * p
        optimizer.begin()
        optimizer.update(p, gradient, rate)
        if step in expected:
            np.testing.assert_allclose(p, expected[step], rtol=0, atol=1e-10)


# Muon


PARTS = [(1, (2, 3)), (9, (3, 2))]  # of 16 parameters
# After 1 and 6 steps on the gradient of `coupled`, by PyTorch 2.13, its bfloat16 replaced by float64.
PYTORCH_MUON = {
    "like Adam": (
        {},
        {
            1: [
                0.791470985436, -0.740716459553, 0.408882508945, -0.28310181408, -0.131245492162, -0.981580968221,
                -0.94580431063, 0.870026038713, -0.579887995427, -0.514896955974, 0.986056559472, -0.483072251819,
                -0.598105020419, 0.926401047346, -0.925986442566, -0.949208034723,
            ],
            6: [
                0.550935068716, -0.653091582828, 0.390775458897, -0.25376406763, -0.12409441867, -0.934068678972,
                -0.907343594304, 0.628046481997, -0.340110375486, -0.554449019571, 0.922915178551, -0.442208942326,
                -0.578042354392, 0.862221129453, -0.902968348933, -0.714098643018,
            ],
        },
    ),
    "Jordan's scale, no Nesterov": (
        {"momentum": 0.9, "nesterovs_momentum": False, "like_adam": False},
        {
            1: [
                0.791470985436, -0.71036610994, 0.402777026311, -0.274042572615, -0.129158258512, -0.962340094552,
                -0.930807765418, 0.870026038713, -0.579887995427, -0.536528394076, 0.953706531133, -0.462916425447,
                -0.588229503138, 0.893112001843, -0.915569365213, -0.949208034723,
            ],
            6: [
                0.550936288796, -0.45704272917, 0.346474118165, -0.183509293796, -0.10862671589, -0.826677253101,
                -0.819511011845, 0.62844311403, -0.340108586294, -0.675943901529, 0.730886978593, -0.298427179351,
                -0.507693027748, 0.667777901179, -0.826024398042, -0.713518808138,
            ],
        },
    ),
}  # fmt: skip


def coupled(p):
    return p**3 - 0.2 * np.roll(p, 1)


@pytest.mark.parametrize("name", PYTORCH_MUON)
def test_muon_equals_pytorch(name):
    options, expected = PYTORCH_MUON[name]
    optimizer, p = Muon(**options).start(16, np.float64, PARTS), np.sin(np.arange(1.0, 17.0) ** 2)
    for step in range(1, 7):
        optimizer.begin()
        optimizer.update(p, coupled(p), 0.05)
        if step in expected:
            np.testing.assert_allclose(p, expected[step], rtol=0, atol=1e-9)


def test_no_gradient_moves_no_matrix():
    optimizer, p = Muon().start(16, np.float32, PARTS), np.ones(16, np.float32)
    optimizer.begin()
    optimizer.update(p, np.zeros(16, np.float32), 0.1)
    np.testing.assert_array_equal(p, 1)


def test_a_stack_is_its_matrices():
    rng = np.random.default_rng(0)
    together = Muon().start(24, np.float64, [(0, (4, 2, 3))])
    apart = Muon().start(24, np.float64, [(6 * i, (2, 3)) for i in range(4)])
    p = rng.standard_normal(24)
    q = p.copy()
    for _ in range(3):
        gradient = rng.standard_normal(24)
        for optimizer, parameters in ((together, p), (apart, q)):
            optimizer.begin()
            optimizer.update(parameters, gradient.copy(), 0.1)
    np.testing.assert_allclose(p, q, rtol=0, atol=1e-12)


def test_parameters_outside_matrices_move_by_adam():
    rng = np.random.default_rng(0)
    muon = Muon(beta_1=0.8, beta_2=0.95, epsilon=1e-4).start(16, np.float32, PARTS)
    adam = Adam(beta_1=0.8, beta_2=0.95, epsilon=1e-4).start(16, np.float32)
    p = rng.standard_normal(16).astype(np.float32)
    q = p.copy()
    for _ in range(4):
        gradient = rng.standard_normal(16).astype(np.float32)
        for optimizer, parameters in ((muon, p), (adam, q)):
            optimizer.begin()
            optimizer.update(parameters, gradient.copy(), 0.1)
    inside = np.zeros(16, bool)
    inside[1:7] = inside[9:15] = True
    np.testing.assert_array_equal(p[~inside], q[~inside])
    assert (p[inside] != q[inside]).all()


@pytest.mark.parametrize(
    "matrices", [[(0, (2, 9))], [(0, (2, 3)), (5, (2, 2))], [(8, (2, 2)), (0, (2, 2))], [(13, (2, 2))]]
)
def test_matrices_that_do_not_fit(matrices):
    with pytest.raises(ValueError, match="must rise without overlap within 16 parameters, got"):
        Muon().start(16, np.float32, matrices)


def test_muon_has_no_parts():
    optimizer, p = Muon().start(16, np.float32, PARTS), np.ones(16, np.float32)
    assert not optimizer.by_parts
    assert all(kind.by_parts for kind in (Adam, SGD, RMSProp))
    with pytest.raises(
        ValueError, match=r"Muon needs whole matrices: part must be slice\(None\), got slice\(0, 8, None\)"
    ):
        optimizer.update(p, p.copy(), 0.1, slice(0, 8))
