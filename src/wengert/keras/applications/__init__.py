"""``keras.applications``: published architectures of images, with weights that are drawn, or of a file.

Their layers have Keras's names, so that weights which were fetched elsewhere go into them.
"""

from wengert.keras.applications import mobilenet_v2 as mobilenet_v2
from wengert.keras.applications import resnet as resnet
from wengert.keras.applications import resnet50 as resnet50
from wengert.keras.applications import vgg16 as vgg16
from wengert.keras.applications import vgg19 as vgg19
from wengert.keras.applications import xception as xception
from wengert.keras.applications.mobilenet_v2 import MobileNetV2
from wengert.keras.applications.resnet import ResNet50, ResNet101, ResNet152
from wengert.keras.applications.vgg16 import VGG16, VGG19
from wengert.keras.applications.xception import Xception

__all__ = ["VGG16", "VGG19", "MobileNetV2", "ResNet50", "ResNet101", "ResNet152", "Xception"]
