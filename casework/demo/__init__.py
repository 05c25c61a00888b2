"""What does Second Look look like after ten weeks at a simulated institution?"""

from casework.demo.build import build_demo

__all__ = ["build_demo"]
